"""Small programs that print ratios measured side by side in one run; absolute times of a shared machine lie."""
