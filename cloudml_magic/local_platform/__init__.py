"""Google's APIs on this machine: a library first (`LocalPlatform.handle`), then a loopback server around it."""
