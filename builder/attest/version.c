#include "attest/version.h"

sv attest_version(void)
{
        return SV(ENVBUILD_VERSION);
}
