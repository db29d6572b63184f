/* run/target/azureml_priv.h - the target azureml inside: the description written back as a v2 command job, and what `az` answers. */
#ifndef RUN_TARGET_AZUREML_PRIV_H
#define RUN_TARGET_AZUREML_PRIV_H

#include "run/target/submit.h"

/** The job as `az ml job create -f` takes it (JSON is YAML). name: of the job; code: folder, relative to the file; empty: none. -ERR_USAGE. */
int aml_job(struct run *r, sv name, sv code, struct js **ret, struct err *e);
/** "2g", "512m" … of bytes, as docker writes sizes; exact. */
sv aml_size(struct arena *a, uint64_t bytes);
/** One word for /bin/sh. */
sv aml_quote(struct arena *a, sv word);

/** `az ml job show -o json`: name and status into *ret; texts in a. -ERR_FAILED: not what az says. */
int aml_answer(struct arena *a, sv text, sv *ret_name, struct run_status *ret, struct err *e);

enum aml_said { AML_OK, AML_ABSENT, AML_EXISTS, AML_REFUSED, AML_AUTH, AML_AWAY };
/** What az's stderr means. */
enum aml_said aml_said_of(sv text);
/** The line of it for people, in text. */
sv aml_said_line(sv text);

#endif
