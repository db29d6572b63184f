/* What was fetched aside to where it belongs: a copy that breaks on its way leaves nothing that looks whole. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "run/record/report.h"

int run_folder_move(const char *from, const char *to, struct err *e)
{
        AUTO(free_ptr) char **name = NULL;
        size_t n;

        if (!fs_is_dir(from))
                return 0;
        if (fs_list(from, &name, &n, e) < 0 || fs_mkdirs(to, 0755, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                AUTO(free_ptr) char *a = fs_path("%s/%s", from, name[i]);
                AUTO(free_ptr) char *b = fs_path("%s/%s", to, name[i]);
                if (fs_is_dir(a) && fs_is_dir(b)) {
                        if (run_folder_move(a, b, e) < 0)
                                return -(int)e->code;
                } else if (rename(a, b) < 0) {
                        return err_errno(e, "cannot move '%s' to '%s'", a, b);
                }
        }
        return 0;
}
