/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalogue: what has gone wrong between producers and brokers in real life, by the numbers
 * that scenario_map.h names, and how many scenarios stand for each.
 *
 * Transactions, SASL and TLS (F109 to F157) have no place here yet but for what any bytes can look
 * like. Nothing here can fail at run time; a number that is named and not listed is told by
 * sim_scenario_faults.
 */
#ifndef KL_SIM_SCENARIO_FAULTS_H
#define KL_SIM_SCENARIO_FAULTS_H

/* So many of them have a scenario at least; ctest sees to it. */
#define SIM_FAULTS_COVERED_MIN 150

/* Prints the table fault -> scenarios. Answers 0, or 1 if too few are covered, or if a scenario
 * names one that is not in the catalogue. */
int sim_scenario_faults(void);

#endif
