# Two stages: one builds a virtual environment from hashed pins, the other only carries it.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# The drivers of all adapters, or (service-postgres) of PostgreSQL alone. # only: reference
ARG REQUIREMENTS=service

# Dependencies first: they change less often than the code.
WORKDIR /build
COPY requirements/ requirements/
RUN python -m venv /tools && /tools/bin/pip install --require-hashes -r requirements/build.txt \
 && python -m venv /app && /app/bin/pip install --require-hashes -r requirements/${REQUIREMENTS}.txt

COPY pyproject.toml README.md LICENSE ./
COPY domain/ domain/
COPY application/ application/
COPY infrastructure/ infrastructure/
RUN /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /app/bin/pip install --no-deps /wheel/*.whl \
 && /app/bin/pip uninstall --yes pip

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home headwater
COPY --from=build /app /app
USER headwater
WORKDIR /data
VOLUME /data
# Reachable from outside the container, so the service insists on HEADWATER_API_TOKEN.
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 \
  HEADWATER_HOME=/data HEADWATER_HTTP_HOST=0.0.0.0 HEADWATER_HTTP_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", \
  "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"HEADWATER_HTTP_PORT\"]}/health/live', timeout=2)"]
CMD ["headwater", "serve"]
