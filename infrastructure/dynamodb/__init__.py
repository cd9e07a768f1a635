"""Events and read models in DynamoDB: the only package that speaks to it."""
