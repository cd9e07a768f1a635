"""The answers of an EventStoreDB to 466 questions, and a comparison with another node.

``answers.json`` holds what a real server answered: version 24.6.0, built from source, one node,
insecure, its system projections running, asked on 2026-11-28. ``may_differ.toml`` names the
answers in which a node may differ, each with its reason. ``noted.toml`` holds what that server was
seen to do besides, in answer to questions of ours. All questions stand in ``questions``, by
subject.

    make conformance                                          # a fresh embedded node
    EVENTSTOREDB_URI=esdb://127.0.0.1:2113?tls=false make conformance

Ask a server that can be thrown away: some questions leave streams behind that cannot be removed
(the real server lets ``$all`` be tombstoned), and restart its subsystems.
"""
