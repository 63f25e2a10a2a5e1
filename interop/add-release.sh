#!/bin/sh
# Writes the manifest of one pinned release: add-release.sh VERSION SERDE_JSON [cargo feature...]
# SERDE_JSON is the version in the Cargo.lock published inside that crate: error texts changed between 1.0.151 and 1.0.154.
set -eu
cd "$(dirname "$0")/releases"
version=$1; serde_json=$2; shift 2
features=""
for feature in "$@"; do features="$features\"$feature\", "; done
mkdir -p "v$version"
cat > "v$version/Cargo.toml" <<END
[package]
name = "velesdb-v$(echo "$version" | tr . -)"
version = "$version"
edition = "2021"
publish = false
autobins = false

# A package of its own, not a workspace member: cargo admits one version of velesdb-core per major number in a workspace.
[workspace]

[[bin]]
name = "velesdb-v$(echo "$version" | tr . -)"
path = "../../source/main.rs"

[features]
default = [${features%, }]
store-batch = []
deferred-batch = []
delete-batch = []
full-flush = []

[dependencies]
velesdb-core = { version = "=$version", default-features = false, features = ["persistence"] }
serde_json = "=$serde_json"
tracing = { version = "0.1", default-features = false, features = ["std"] }

[profile.release]
opt-level = 3
debug = 0
codegen-units = 16
lto = false
END
