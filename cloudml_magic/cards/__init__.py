"""What a cell or a panel shows of a job and of a prediction, as data, HTML and text: the same from every front end."""
