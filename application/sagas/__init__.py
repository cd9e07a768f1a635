"""Work that crosses aggregates: orchestrated as a saga, or choreographed by reactions."""
