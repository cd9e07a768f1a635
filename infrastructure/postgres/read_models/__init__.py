"""Read models in PostgreSQL: views, their builds, and the books about them."""
