"""Reading a response: where in it the answer stands."""
