#!/bin/sh
# Writes the manifest of one pinned release: add-release.sh VERSION [cargo feature...]
set -eu
cd "$(dirname "$0")/releases"
version=$1; shift
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

[dependencies]
velesdb-core = { version = "=$version", default-features = false, features = ["persistence"] }
serde_json = "=1.0.149"
tracing = { version = "0.1", default-features = false, features = ["std"] }

[profile.release]
opt-level = 3
debug = 0
codegen-units = 16
lto = false
END
