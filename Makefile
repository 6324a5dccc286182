BUILD = swift build --explicit-target-dependency-import-check error
.PHONY: run test build format setup clean

run: setup
	@$(BUILD) -c release --product netpol-lab
	@.build/release/netpol-lab run -f examples/homelab

test: setup
	@$(BUILD) --build-tests
	@swift test --skip-build

build: setup
	@$(BUILD)

format:
	@swift format -i -r Sources Tests Package.swift

setup:
	@netns-scripts/setup.sh

clean:
	rm -rf .build
