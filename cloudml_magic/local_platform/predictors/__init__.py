"""What is deployed, running: one serving process per deployed version, started, watched, put to sleep and woken."""
