"""``headwater add``: the pages of a new part of the service, written from forms.

A form is a page of Python in ``forms/``, under the path that the page gets. It has ``SomeEvent``
and ``some_aggregate`` where the new names go. Comments repeat lines (``# for each command``) and
choose them (``# if fields``), as :mod:`infrastructure.cli.adding.forms` reads them. The first
example of a service is made from the same forms.
"""
