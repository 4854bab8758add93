"""What gets installed: the embedded stack (`local`), and templates for AWS, Docker and Kubernetes."""
