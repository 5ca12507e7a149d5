# Every target is a verb of dev/, a small Python program; see the docstrings there.
DEV := python3 -m dev
export PYTHONDONTWRITEBYTECODE := 1

# make demo CLUSTER=current: the cluster of the current kubectl context instead of a local one.
CLUSTER ?= local
export CLUSTER IMAGE_REPOSITORY IMAGE_TAG BUILD STORE_IMAGE HELM_VALUES ONLY OUT VERSION IMAGES

.DEFAULT_GOAL := help
.PHONY: help demo test cluster-up cluster-down kubeconfig s3-env tools clean-cache \
	verify crd dashboard test-unit test-contract test-integration test-e2e chaos bench docs release \
	venv lock real-models

help: ## What can be made
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

demo: ## Transcribe a recording on a Kubernetes cluster (CLUSTER=current: on yours)
	@$(DEV) demo

test: ## Every check and every layer of tests
	@$(DEV) test

cluster-up: ## Start the local cluster with registry, S3 store and operator
	@$(DEV) cluster-up

cluster-down: ## Stop it and leave nothing behind but the cache
	@$(DEV) cluster-down

kubeconfig: ## Print the path of the local cluster's kubeconfig
	@$(DEV) kubeconfig

s3-env: ## Print the store's address and keys as AWS_* assignments
	@$(DEV) s3-env

tools: ## Print the folder of kubectl, helm and kwok
	@$(DEV) tools

clean-cache: ## Stop the cluster and delete all that was built and downloaded
	@$(DEV) clean-cache

verify: ## Lint, types, import rules, chart, generated files
	@$(DEV) verify

crd: ## Write the CRD, its reference and schema, and the tables of reasons
	@$(DEV) crd

dashboard: ## Write the Grafana dashboard anew from dev/panels.py
	@$(DEV) dashboard

test-unit: ## Tests of pure functions: no root, no cluster
	@$(DEV) test-unit

test-contract: ## Tests of what operator and transcriber agree on, and of the chart
	@$(DEV) test-contract

test-integration: ## Tests against a real API server and a real S3 server
	@$(DEV) test-integration

test-e2e: ## Tests on the whole local cluster
	@$(DEV) test-e2e

chaos: ## Kills and cuts in full (the other tests do a few)
	@$(DEV) chaos

bench: ## Benchmarks beside their peers (ONLY=name,name for some), into docs/
	@$(DEV) bench

docs: ## Build the documentation's site into site/
	@$(DEV) docs

release: ## Chart, CRDs, wheel, images, SBOMs and checksums of VERSION into dist/ (IMAGES=no)
	@$(DEV) release

venv: ## Make the Python environment of the tests and print its folder
	@$(DEV) venv

lock: ## Write requirements/*.txt anew from pyproject.toml
	@$(DEV) lock

real-models: ## Download Whisper tiny.en and base, and print where they are
	@$(DEV) real-models
