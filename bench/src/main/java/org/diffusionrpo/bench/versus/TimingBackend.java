package org.diffusionrpo.bench.versus;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Buffer;
import org.diffusionrpo.tensor.Memory;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;

/**
 * A backend around another that notes how long each of its operations takes. Its tensors hold those of the inner backend,
 * which know no scope: the outer ones decide when memory is free.
 */
final class TimingBackend implements InvocationHandler {
  private final Backend inner;
  private final Times times;
  private final Memory memory = new Memory();
  private final Backend outer = (Backend) Proxy.newProxyInstance(Backend.class.getClassLoader(),
      new Class<?>[] {Backend.class}, this);

  private TimingBackend(Backend inner, Times times) {
    this.inner = inner;
    this.times = times;
  }

  static Backend around(Backend inner, Times times) {
    return new TimingBackend(inner, times).outer;
  }

  @Override
  public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
    if (method.getName().equals("memory")) {
      return memory;
    }
    if (method.getName().equals("empty")) {
      Storage storage = arguments.length == 1 ? Storage.F32 : (Storage) arguments[1];
      return Tensor.create((Shape) arguments[0], new HeldBuffer(outer, inner.empty((Shape) arguments[0], storage)));
    }
    if (method.isDefault() && !method.getName().equals("synchronize")) {
      return InvocationHandler.invokeDefault(proxy, method, arguments);
    }
    return timed(method, arguments == null ? new Object[0] : arguments);
  }

  private Object timed(Method method, Object[] arguments) throws Throwable {
    List<Tensor> views = new ArrayList<>();
    Object[] unwrapped = new Object[arguments.length];
    for (int i = 0; i < arguments.length; i++) {
      unwrapped[i] = unwrap(arguments[i], views);
    }
    try {
      long start = System.nanoTime();
      Object result = method.invoke(inner, unwrapped);
      times.add(method.getName(), arguments, System.nanoTime() - start);
      return result;
    } catch (InvocationTargetException e) {
      throw e.getCause();
    } finally {
      views.forEach(Tensor::close);
    }
  }

  private static Object unwrap(Object argument, List<Tensor> views) {
    if (argument instanceof List<?> list) {
      return list.stream().map(element -> unwrap(element, views)).toList();
    }
    return argument instanceof Tensor tensor ? unwrap(tensor, views) : argument;
  }

  private static Tensor unwrap(Tensor tensor, List<Tensor> views) {
    Tensor view = ((HeldBuffer) tensor.buffer()).held.reshape(tensor.shape().toArray());
    views.add(view);
    return view;
  }

  private static final class HeldBuffer extends Buffer {
    private final Tensor held;

    HeldBuffer(Backend outer, Tensor held) {
      super(outer, held.size(), held.storage());
      this.held = held;
    }

    @Override
    protected void recycle() {
      held.close();
    }
  }
}
