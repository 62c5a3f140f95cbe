"""Runs jobs as real processes: queue, capacity, preparation, one supervisor per replica, true reasons at the end."""
