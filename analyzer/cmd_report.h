/* `shmguard report`. */
#ifndef SHMGUARD_CMD_REPORT_H
#define SHMGUARD_CMD_REPORT_H

/* argv[0] is "report". Returns the exit status, enum report_result of report.h. */
int cmd_report(int argc, char **argv);

#endif
