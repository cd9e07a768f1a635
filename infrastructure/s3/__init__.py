"""Payloads in a bucket of S3, or of a server that speaks its protocol: the only package that does.

``obstore`` makes the requests. The credentials come from ``botocore``, as for every AWS program.
"""

from infrastructure.s3.payload_store import PayloadStore

__all__ = ["PayloadStore"]
