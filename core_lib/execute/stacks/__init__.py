"""What the stack actions share: the stacks of a target, their statuses, change sets, reasons of failure."""
