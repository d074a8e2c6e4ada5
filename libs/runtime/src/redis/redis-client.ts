import type { Cluster, Redis } from 'ioredis';

/** A connection to Redis, or the several ones to a Cluster. */
export type RedisClient = Redis | Cluster;
