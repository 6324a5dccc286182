#pragma once
// Message digests of libmd: SHA-1, SHA-256 and SHA-512.
#include <sha1.h>
#include <sha2.h>
