"""The engine room of the Core Automation Platform: everything that needs neither Prefect nor a web server."""
