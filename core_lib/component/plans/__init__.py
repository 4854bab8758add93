"""Plans: stages and steps become actions."""
