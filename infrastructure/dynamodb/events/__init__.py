"""Events in DynamoDB: streams, one gap-free order of all events, and consumer groups.

Streams and the log are *tiled*: an item holds the events from its key on, and the next item has the
key at which those end. Items are only ever added. So a process that has seen one end knows for good
where the next one begins, and a condition on that one key decides a race exactly.
"""
