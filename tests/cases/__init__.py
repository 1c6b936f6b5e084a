"""Cases from public reports of administrators and vendors: the command's answer is the right one."""
