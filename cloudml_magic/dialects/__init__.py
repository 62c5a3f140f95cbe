"""The client's translations between our records and Google's calls: pure functions, one file each."""
