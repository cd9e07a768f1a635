"""Questions of people about what has happened: an event whole, a stream's history, a request."""
