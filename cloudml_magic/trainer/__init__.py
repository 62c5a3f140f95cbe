"""What travels inside each job's package and runs it there: standard library and Keras only, relative imports only."""
