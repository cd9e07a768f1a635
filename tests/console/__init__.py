"""The console, on the sample service: its pages over HTTP, without a browser."""
