"""The read models of a service, in DynamoDB."""
