/* target_render PROFILE JOB DIR: what a target would submit for a description, without building anything: DIR/submit/. For tests/corpus and the suites
 * that judge manifests: image, snapshot and id are made up and always the same. PROFILE is a file, its name is the profile's. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "run/target/submit.h"

#define ONES "1111111111111111111111111111111111111111111111111111111111111111"

static int profile_read(struct arena *a, const char *path, struct diags *ds, struct run_profile *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)1 << 20);
        struct yaml *doc;

        if (fs_read(path, &text, e) < 0 || yaml_parse(a, arena_sv(a, buf_sv(&text)), sv_from(path), ds, &doc, e) < 0)
                return -(int)e->code;
        *ret = (struct run_profile){ .name = SV("test"), .file = sv_from(path), .doc = doc };
        ret->target = run_target_find(run_profile_str(ret, "type", (sv){ 0 }));
        return ret->target ? 0 : err_set(e, ERR_USAGE, "'%s' names no target", path);
}

static int render(struct arena *a, char **argv, struct diags *ds, struct err *e)
{
        struct op op = { .jobs = 1 };
        struct run_ctx ctx = { .op = &op, .diags = ds };
        struct run_profile profile;
        struct run_record rec = { .id = SV("iris-20261124-7f3a2b"),
                                  .attempt = 1,
                                  .image = SV("registry.example.com/env/iris@sha256:" ONES),
                                  .run_image = SV("registry.example.com/env/runs@sha256:" ONES),
                                  .lock_digest = SV("sha256:" ONES),
                                  .snapshot = { .digest = SV("sha256:" ONES), .files = 2, .bytes = 10 } };
        struct run r = { &ctx, a, &rec, &profile };

        rec.dir = sv_from(argv[3]);
        rec.git = (struct run_git){ .known = true,
                                    .commit = SV("4d2b93784676893f8e346d5f0b9fb894a9cf0742"),
                                    .repository = SV("https://git.example.com/x") };
        if (profile_read(a, argv[1], ds, &profile, e) < 0 || run_job_load(a, argv[2], ds, &rec.spec, e) < 0 ||
            fs_mkdirs(run_path(a, &rec, "submit").p, 0755, e) < 0)
                return -(int)e->code;
        if (!rec.spec->code.n)
                rec.snapshot = (struct run_snapshot_info){ 0 };
        return profile.target->render(&r, e);
}

int main(int argc, char **argv)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };

        if (argc != 4) {
                fputs("usage: target_render PROFILE JOB DIR\n", stderr);
                return 2;
        }
        if (render(&a, argv, &ds, &e) == 0)
                return 0;
        for (size_t i = 0; i < ds.n; i++)
                fprintf(stderr, "%.*s:%u: %.*s\n", SV_ARG(ds.v[i].file), ds.v[i].line, SV_ARG(ds.v[i].text));
        fprintf(stderr, "%s\n%s\n", e.cause ? e.cause : "", e.hint ? e.hint : "");
        return err_exit_code(e.code);
}
