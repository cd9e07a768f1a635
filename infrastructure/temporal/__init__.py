"""Temporal as the engine of sagas: it drives them, and their streams stay the truth.

relay       hands the events that concern a saga to its workflow
workflow    decides: a deterministic loop around the saga's own pure functions
news        what follows from what the workflow is sent
record      what the workflow knows of the stream, and how it appends
attempting  how the workflow has a step performed
activities  append what was decided, and perform the actions of a step
"""
