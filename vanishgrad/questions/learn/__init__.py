"""What each cell can and cannot learn, by the gap between the relevant input and where it is needed."""
