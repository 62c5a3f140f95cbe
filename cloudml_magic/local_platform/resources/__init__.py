"""What the platform keeps of each kind of resource: bodies as they came, plus what a server adds; one file per noun."""
