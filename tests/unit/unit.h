/* tests/unit/unit.h - what every unit test includes: cmocka with the headers it needs before it. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h must come last */
#include <cmocka.h>

#endif
