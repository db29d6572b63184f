#include "base/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(sv bytes, struct buf *out)
{
        for (size_t i = 0; i < bytes.n; i += 3) {
                size_t left = bytes.n - i;
                uint32_t bits = (uint32_t)(uint8_t)bytes.p[i] << 16;

                if (left > 1)
                        bits |= (uint32_t)(uint8_t)bytes.p[i + 1] << 8;
                if (left > 2)
                        bits |= (uint8_t)bytes.p[i + 2];
                buf_byte(out, digits[bits >> 18]);
                buf_byte(out, digits[bits >> 12 & 63]);
                buf_byte(out, left > 1 ? digits[bits >> 6 & 63] : '=');
                buf_byte(out, left > 2 ? digits[bits & 63] : '=');
        }
}

bool base64_read(sv text, struct buf *out)
{
        uint32_t bits = 0;
        unsigned have = 0;

        if (text.n % 4 == 0)
                for (int pad = 0; pad < 2 && text.n && text.p[text.n - 1] == '='; pad++)
                        text.n--;
        if (text.n % 4 == 1)
                return false;
        for (size_t i = 0; i < text.n; i++) {
                const char *d = text.p[i] ? strchr(digits, text.p[i]) : NULL;

                if (!d)
                        return false;
                bits = bits << 6 | (uint32_t)(d - digits);
                have += 6;
                if (have >= 8) {
                        have -= 8;
                        buf_byte(out, (char)(bits >> have & 0xff));
                }
        }
        return (bits & ((1u << have) - 1)) == 0 && !out->over;
}
