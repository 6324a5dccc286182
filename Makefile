BUILD = swift build --explicit-target-dependency-import-check error
# One folder for both: the checked build and the tests share what they compile.
.PHONY: run test build setup clean

run: setup
	@$(BUILD) -c release --product netpol-lab
	@.build/release/netpol-lab run -f examples/homelab

test: setup
	@$(BUILD) --build-tests
	@swift test --skip-build

build: setup
	@$(BUILD)

setup:
	@netns-scripts/setup.sh

clean:
	rm -rf .build
