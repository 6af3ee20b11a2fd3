#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
#
# Gradescope runs this once, when it builds the image (Ubuntu).
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends gcc libc6-dev make pkg-config \
    check python3 util-linux libcurl4-openssl-dev libjansson-dev
