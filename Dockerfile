# The package in the default distribution, for a CPU or, with another base image and TORCH_INDEX, for a GPU.
#   docker build -t mmwsss .
#   docker run --rm -v "$PWD:/work" mmwsss predict dog.jpg
# The checks of continuous integration, in the same image:
#   docker run --rm --entrypoint bash mmwsss .ci/run
FROM python:3.12-slim

ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_EXTRA_INDEX_URL=$TORCH_INDEX PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1

# git and g++ for the tests and the compiled dense CRF; chromium for the tests of the report.
RUN apt-get update && \
    apt-get install -y --no-install-recommends chromium g++ git && \
    rm -rf /var/lib/apt/lists/*

RUN python -m venv /opt/mmwsss && touch /opt/mmwsss/.made_by_install
ENV VIRTUAL_ENV=/opt/mmwsss PATH=/opt/mmwsss/bin:$PATH

WORKDIR /opt/source
COPY . .
RUN bash -c 'source tools/install.sh'

# Results go to the folder that is mounted.
WORKDIR /work
ENTRYPOINT ["mmwsss"]
