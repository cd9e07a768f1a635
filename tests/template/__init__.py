"""The copier template, made from the reference: ``python -m tests.template``.

    build [--into DIR]                      make the template; unless told, in `template/`
    check                                   what some service must not have; is `template/` stale?
    service --into DIR -d ANSWER=VALUE …    make one service from the working tree as it stands
    leftovers -d ANSWER=VALUE …             words in such a service of something not chosen
    rehearsal                               a whole service is updated: releases, other adapters
    belongs [PATH …]                        what each file belongs to

What is made for an answer only is marked in three ways, which hold together:

1. ``paths.py`` has the path, and the feature that it belongs to;
2. a section, row, item or paragraph of a page belongs to the feature whose path, setting or
   command it shows (``pages.py``);
3. a comment marks lines: ``# only: kafka`` behind a line, or alone in a line, until
   ``# end: kafka``. In Markdown ``<!-- only: kafka -->``, also around words in one line.

A file below ``tests`` also belongs to what it imports, and to the fixtures that it asks for, in
lines without a marker: a test of Kafka needs no line in ``paths.py``. Where ``belongs`` prints
*dynamodb and postgres* for a test that runs on either, its imports need markers. This does not hold
for ``__init__``, ``__main__`` and ``conftest``.

A condition is made of the names in ``features.py`` with ``and``, ``or``, ``not`` and parentheses.
"""
