"""E-mail of actions: one message, by SMTP or SES. A second sending carries the same Message-ID, so that readers see one mail."""
