/**
 * The client that articles about Simple JWT show: two interceptors of axios, tokens in a storage of texts, no thought of
 * other requests. Written anew, with what is good and what is bad in them; it knows nothing of Latchkey.
 */
import axios, { type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';

interface Tokens {
  readonly access: string;
  readonly refresh?: string;
}

export interface SimpleJwtClient {
  readonly api: AxiosInstance;
  /** Its localStorage. */
  readonly storage: Map<string, string>;
  login(username: string, password: string): Promise<void>;
  /** Whether it sent its user to the login page. */
  readonly wasLoggedOut: () => boolean;
}

/** @param keepsSuccessors false for a client of a server that does not rotate, which is Simple JWT's default */
export function simpleJwtClient(baseURL: string, keepsSuccessors = true): SimpleJwtClient {
  const storage = new Map<string, string>();
  let loggedOut = false;
  const api = axios.create({ baseURL, headers: { 'Content-Type': 'application/json', accept: 'application/json' } });

  api.interceptors.request.use((config) => {
    const token = storage.get('access_token');
    if (token !== undefined) config.headers.Authorization = `Bearer ${token}`;
    return config;
  });
  api.interceptors.response.use(
    (response) => response,
    async (error: unknown) => {
      if (!axios.isAxiosError(error)) throw error;
      const original = error.config as (InternalAxiosRequestConfig & { _retry?: boolean }) | undefined;
      if (error.response?.status === 401 && original !== undefined && original._retry !== true) {
        original._retry = true;
        try {
          const { data } = await axios.post<Tokens>(`${baseURL}/api/token/refresh/`, {
            refresh: storage.get('refresh_token'),
          });
          storage.set('access_token', data.access);
          if (keepsSuccessors && data.refresh !== undefined) storage.set('refresh_token', data.refresh);
          original.headers.Authorization = `Bearer ${data.access}`;
          return await api(original);
        } catch (failure) {
          storage.clear();
          loggedOut = true;
          throw failure;
        }
      }
      throw error;
    },
  );
  return {
    api,
    storage,
    async login(username, password) {
      const { data } = await axios.post<Required<Tokens>>(`${baseURL}/api/token/`, { username, password });
      storage.set('access_token', data.access);
      storage.set('refresh_token', data.refresh);
    },
    wasLoggedOut: () => loggedOut,
  };
}
