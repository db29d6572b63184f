/* cli/doctor.h - what `envbuild doctor` looks at, each part as a JSON document: the text is printed from the same. Nothing is changed, nothing fails:
 * what cannot be found out is said in it. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "cli/app.h"
#include "ext/json.h"

/** {path, works, filesystem, free_bytes, why?} */
struct js *doctor_store(struct app *app);
/** {kernel, machine, user_namespaces, why?} */
struct js *doctor_kernel(struct app *app);
/** {files: [{path, registries: []}], helpers: [{name, program, works}]}: no login is read out. */
struct js *doctor_logins(struct app *app);
/** [{name, value}] of variables that shape transfers, logins in them hidden. */
struct js *doctor_network(struct app *app);
/** [{name, version}] of programs that are called; version empty: not there. */
struct js *doctor_tools(struct app *app);
/** An address without its login: NAME and password before the @ become ***. */
sv doctor_hide(struct arena *a, sv url);

#endif
