/* run/job/size.h - sizes as docker and Kubernetes write them: "512m", "2g", "2gb", "64Gi", "1024". Powers of 1024; "2G" too, as docker means it. */
#ifndef RUN_JOB_SIZE_H
#define RUN_JOB_SIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sv.h"

bool run_size_parse(sv text, uint64_t *ret);

#endif
