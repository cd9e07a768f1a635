"""Read models in PostgreSQL: views, their builds, and what is recorded of builds."""
