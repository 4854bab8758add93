"""Web requests of actions: where they may go, how they are sent, and secrets that are read only when they are needed."""
