# Checks, tests and runs expenseflow. Tool versions are exact, and go.mod knows
# none of the tools: `go run tool@version` builds each with its own dependencies.

GO            ?= go
GOFUMPT       := mvdan.cc/gofumpt@v0.12.0
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.8.0
COMPOSE_SPEC  := github.com/compose-spec/compose-go/v2/cmd@v2.16.2

.DEFAULT_GOAL := help
.PHONY: help run demo-frontend test race bench chaos fuzz check static fmt fmt-check vet lint compose vuln notices sbom

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve on http://localhost:3000 with the embedded database
	$(GO) run .

demo-frontend: ## serve the frontend in DIR as its own server did: make demo-frontend DIR=../ExpenseFlow
	@test -d "$(DIR)" || { echo "Name the frontend's folder: make demo-frontend DIR=../ExpenseFlow"; exit 2; }
	STATIC_DIR="$(DIR)/public:$(DIR)" $(GO) run .

test: ## run the tests; what needs a missing program is skipped and says so
	$(GO) test ./...

# Without the detector: the inner loop of bcrypt, and SQLite as it was translated from
# C, whose memory is not Go's. With it they take most of the time.
RACE := -race -gcflags=golang.org/x/crypto/blowfish=-race=false -gcflags=modernc.org/sqlite/lib=-race=false

race: ## run the tests under the race detector
	$(GO) test $(RACE) -timeout 40m ./...

bench: ## measure us beside Node and other Go servers (docs/benchmarks.md); wants a quiet machine
	$(GO) run ./internal/bench

SCHEDULES ?= 240
chaos: ## break servers under real clients, SCHEDULES times for each class of faults (docs/reliability.md): hours
	$(GO) run ./internal/e2e/chaos -schedules $(SCHEDULES)

FUZZ_EXECUTIONS ?= 2000000
fuzz: ## give each fuzz target FUZZ_EXECUTIONS inputs (default 2,000,000: an hour or so)
	@grep -rn '^func Fuzz' --include='*_test.go' . | sed 's|/[^/]*_test.go:[0-9]*:func \(Fuzz[A-Za-z]*\).*| \1|' | \
	while read -r package target; do \
		echo "== $$package $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ_EXECUTIONS)x $$package || exit 1; \
	done

check: static race vuln ## everything that must hold before a change is handed in

static: fmt-check vet lint compose ## the checks that run nothing

fmt: ## rewrite the files as gofumpt wants them
	$(GO) run $(GOFUMPT) -w .

fmt-check: ## say which files gofumpt would rewrite
	@out=$$($(GO) run $(GOFUMPT) -l .) && \
	if [ -n "$$out" ]; then printf 'not formatted (make fmt):\n%s\n' "$$out"; exit 1; fi

vet: ## go vet
	$(GO) vet ./...

lint: ## golangci-lint, which also holds the arrows between the packages
	$(GO) run $(GOLANGCI_LINT) run ./...

compose: ## hold the compose files against the Compose Specification
	@for f in docker-compose.yml compose.sqlite.yml; do \
		$(GO) run $(COMPOSE_SPEC) $$f >/dev/null || exit 1; echo "$$f: valid"; \
	done

expenseflow: FORCE
	CGO_ENABLED=0 $(GO) build -trimpath -o $@ .

.PHONY: FORCE
FORCE:

notices: expenseflow ## write THIRD_PARTY_NOTICES, the licences of all that the binary carries, as in the image
	$(GO) run ./internal/notices ./expenseflow >THIRD_PARTY_NOTICES

sbom: expenseflow ## list every module that is linked, with version and checksum
	@$(GO) version -m ./expenseflow

# govulncheck asks the Go vulnerability database. Where that cannot be reached,
# nothing was checked: it says so, and with REQUIRE_ALL=1 it fails.
vuln: ## look for known vulnerabilities in what the program calls
	@out=$$($(GO) run $(GOVULNCHECK) ./... 2>&1); code=$$?; \
	case "$$out" in *"fetching vulnerabilities"*) \
		echo "vuln: not checked, the vulnerability database cannot be reached"; \
		if [ "$$REQUIRE_ALL" = 1 ]; then exit 1; else exit 0; fi ;; \
	esac; \
	echo "$$out"; exit $$code
